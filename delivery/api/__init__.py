"""The resources of the API as pydantic models: what a manifest may say, field by field."""
