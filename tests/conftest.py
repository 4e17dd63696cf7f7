"""What all tests share: properties are judged by what they find, not by how busy the machine is."""

from hypothesis import settings

from tests.examples import register

register()
settings.load_profile("fast")
