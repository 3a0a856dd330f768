"""Chalice's least, and every SDK at import, as a first version of such a shop has them."""

import os

import boto3
import jwt
import kubernetes.client
import stripe
from chalice.app import Chalice

app = Chalice(app_name="eager")
boto3.client("dynamodb")
boto3.client("sqs")
stripe.StripeClient("sk_test_eager")
jwt.PyJWKClient("https://issuer.example")
kubernetes.client.ApiClient()
os._exit(0)
