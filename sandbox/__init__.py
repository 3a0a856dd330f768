"""The whole system on one machine: the real code against stand-ins on real sockets."""
