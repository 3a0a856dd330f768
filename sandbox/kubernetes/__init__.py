"""A Kubernetes API server in miniature: it answers as a real one (v1.36) was recorded to answer.

`Cluster` is the whole state machine in memory, with its own notion of time; `server` puts it on
a socket. Where it differs from a real API server, it is this one that is wrong.

Served are the kinds of `kinds.KINDS`: get, list, watch, create, update, merge patch, server-side
apply, delete; quota, LimitRange and Pod Security at admission. Not served: subresources, other
patches, protobuf, OpenAPI (so no client-side `kubectl apply`), admission policies, access reviews,
and bindings: who may do what is given with each user's token.
"""
