"""`python -m tests.deployment.moto_for_chalice PORT`: moto, with what Chalice needs put right.

moto's ImportRestApi wants `info.description`, refuses Swagger 2.0, and refuses a MOCK integration
without a URI; API Gateway takes all three. Its Lambda wants Docker, to call what is never called
here.
"""

import sys
from functools import wraps

from moto.apigateway.models import APIGatewayBackend
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def as_moto_takes_it(document):
    """The same API in the words that moto knows."""
    document = {**document, "openapi": "3.0.0"}
    document.pop("swagger", None)
    document["info"] = {"description": "", **document["info"]}
    for methods in document["paths"].values():
        for method in methods.values():
            method["x-amazon-apigateway-integration"].setdefault("uri", "")
    return document


def install():
    """Put it into moto."""
    backend = APIGatewayBackend
    take_in, replace = backend.import_rest_api, backend.put_rest_api

    @wraps(take_in)
    def import_rest_api(self, api_doc, *rest, **named):
        return take_in(self, as_moto_takes_it(api_doc), *rest, **named)

    @wraps(replace)
    def put_rest_api(self, function_id, api_doc, *rest, **named):
        return replace(self, function_id, as_moto_takes_it(api_doc), *rest, **named)

    backend.import_rest_api, backend.put_rest_api = import_rest_api, put_rest_api
    default_user_config["lambda"] = {"use_docker": False}


if __name__ == "__main__":
    install()
    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True).serve_forever()
