"""What every test shares."""

from hypothesis import settings

# Two busy cores are no reason to fail, so no deadline; a failure prints what replays it.
settings.register_profile("hutong", deadline=None, print_blob=True)
settings.load_profile("hutong")
