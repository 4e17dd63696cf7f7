"""Why a Deployment cannot be adopted, subject by subject; each reason is what its user is told."""
