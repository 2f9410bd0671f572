"""What the command line calls: pairs from documents, a rater from pairs."""

from __future__ import annotations

from mixc.backends.murating.pairing import Paired as Paired
from mixc.backends.murating.pairing import make_pairs as make_pairs
from mixc.backends.murating.settings import PairSettings as PairSettings
from mixc.backends.murating.settings import TrainSettings as TrainSettings
from mixc.backends.murating.train import Trained as Trained
from mixc.backends.murating.train import train as train
