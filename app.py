"""What Chalice deploys: the API's routes, the worker and the sweep."""

from chalice.app import Chalice

from chalicelib.entrypoints import accounts, http, logs, storefront, webhooks, worker

app = Chalice(app_name="arm-engine")
logs.configure()
app.register_middleware(http.in_contract_form, "http")
app.register_blueprint(storefront.routes)
app.register_blueprint(accounts.routes)
app.register_blueprint(webhooks.routes)
app.register_blueprint(worker.jobs)
