"""Averages of scores over runs and over subsets of the sets they were measured on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semeqv.engine.component import component, positional
