"""Cassettes: what a test asks of models and tools, recorded once and replayed offline."""

from playhead.record.cassettes._api import ApiAddresses
from playhead.record.cassettes._cassette import Cassette, CassetteMode
from playhead.record.cassettes._environment import CassetteEnvironment
from playhead.record.cassettes._model import CassetteModel

__all__ = [
    "ApiAddresses",
    "Cassette",
    "CassetteEnvironment",
    "CassetteMode",
    "CassetteModel",
]
