"""Somebody else's participant, from its application to its drained exit, in a running network, by two operators."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.secrets import SigningKey as NodeKey
from hutong.app.secrets import node_secrets
from hutong.app.up import running_network
from hutong.cli.main import run as command
from hutong.conformance.case import Side
from hutong.conformance.hook import HttpHook
from hutong.conformance.report import as_json
from hutong.conformance.run import chosen, run
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.conformance.subjects import Tiny, tiny
from tests.network.conftest import new_database
from tests.network.street import Client, Door, Street, decided, new_id

NODES = ("switch", "jing")
