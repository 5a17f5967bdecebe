"""How pages are served: gunicorn reads this file by itself when it is started here."""

preload_app = True
worker_class = "gthread"
workers = 2
threads = 4
# A process that takes every knock at once lets them queue before its own four threads, while the
# other one has nothing to do. What neither takes waits in the kernel, for whichever is free first.
worker_connections = 16
graceful_timeout = 8
loglevel = "warning"
control_socket_disable = True
