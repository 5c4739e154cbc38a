"""Settings of the property tests: no deadline, because a busy machine is no bug."""

from hypothesis import settings

settings.register_profile("verdict", settings(deadline=None))
settings.load_profile("verdict")
