"""A Kubernetes API server in miniature: it answers as a real one (v1.36) was recorded to answer.

`Cluster` is the whole state machine in memory, with its own notion of time; `server` puts it on
a socket. Where it differs from a real API server, it is this one that is wrong.

Served are the kinds of `kinds.KINDS`: get, list, watch, create, update, every kind of patch,
server-side apply, delete, deletecollection; the subresources `scale`, `status`, `token` and a pod's
`binding`; graceful deletion; roles and bindings; quota, LimitRange, Pod Security and
ValidatingAdmissionPolicies at admission; access reviews; what kubectl needs to know.
Not served: other subresources, protobuf but for two bodies, mutating policies. Of the controllers
there are those of namespaces and quotas; as a process also those of what runs (`running`): there a
Deployment has ReplicaSets and pods. None measures or ends anything: no autoscaler, no CronJob.
"""
