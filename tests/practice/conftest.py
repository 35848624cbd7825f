from tests.practice.handing import cast  # noqa: F401 -- a fixture
from tests.stores import *  # noqa: F403 -- pytest finds fixtures by their names here
