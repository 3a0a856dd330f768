"""Chalice's least, and one TLS context with the usual authorities in it."""

import http.client
import os
import ssl

import certifi
from chalice.app import Chalice

app = Chalice(app_name="floor")
http.client.HTTPSConnection("localhost", context=ssl.create_default_context(cafile=certifi.where()))
os._exit(0)
