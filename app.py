"""What Chalice deploys: the API's routes, the worker and the sweep."""

import os

from chalice.app import Chalice

from chalicelib.entrypoints import accounts, http, logs, storefront, webhooks, worker

if os.environ.get("AWS_CHALICE_CLI_MODE"):  # here it is imported to be deployed, not to be run
    from ops.deploying import by_chalice

    by_chalice.prepare()

app = Chalice(app_name="arm-engine")
logs.configure()
app.register_middleware(http.in_contract_form, "http")
app.register_blueprint(storefront.routes)
app.register_blueprint(accounts.routes)
app.register_blueprint(webhooks.routes)
app.register_blueprint(worker.jobs)
