from tests.stores import *  # noqa: F403 -- pytest finds fixtures by their names here
