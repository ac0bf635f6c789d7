"""Every route of Docker's API 1.45: method, and a path that the route takes.

Written down from moby, api/server/router; `tests/compat/test_routes_equal_docker.py` asks
dockerd whether each of them is one.
"""

_NODES = ("nodes", "services", "tasks", "secrets", "configs")

DOCKER_ROUTES: tuple[tuple[str, str], ...] = (
    ("GET", "/_ping"), ("HEAD", "/_ping"), ("GET", "/events"), ("GET", "/info"),
    ("GET", "/version"), ("GET", "/system/df"), ("POST", "/auth"),
    ("HEAD", "/containers/nobody/archive"), ("GET", "/containers/json"),
    *(("GET", f"/containers/nobody/{verb}") for verb in (
        "export", "changes", "json", "top", "logs", "stats", "attach/ws", "archive",
        "checkpoints",
    )),
    ("GET", "/exec/nobody/json"),
    ("POST", "/containers/create"),
    *(("POST", f"/containers/nobody/{verb}") for verb in (
        "kill", "pause", "unpause", "restart", "start", "stop", "wait", "resize", "attach",
        "exec", "rename", "update", "checkpoints",
    )),
    ("POST", "/exec/nobody/start"), ("POST", "/exec/nobody/resize"),
    ("POST", "/containers/prune"), ("POST", "/commit"),
    ("PUT", "/containers/nobody/archive"), ("DELETE", "/containers/nobody"),
    ("DELETE", "/containers/nobody/checkpoints/one"),
    ("POST", "/build"), ("POST", "/build/prune"), ("POST", "/build/cancel"),
    ("GET", "/images/json"), ("GET", "/images/search"), ("GET", "/images/get"),
    *(("GET", f"/images/no/body/{verb}") for verb in ("get", "history", "json")),
    ("POST", "/images/load"), ("POST", "/images/create"),
    ("POST", "/images/no/body/push"), ("POST", "/images/no/body/tag"),
    ("POST", "/images/prune"), ("DELETE", "/images/no/body"),
    ("GET", "/distribution/no/body/json"),
    ("GET", "/networks"), ("GET", "/networks/"), ("GET", "/networks/nobody"),
    ("POST", "/networks/create"), ("POST", "/networks/nobody/connect"),
    ("POST", "/networks/nobody/disconnect"), ("POST", "/networks/prune"),
    ("DELETE", "/networks/nobody"),
    ("GET", "/volumes"), ("GET", "/volumes/nobody"), ("POST", "/volumes/create"),
    ("POST", "/volumes/prune"), ("PUT", "/volumes/nobody"), ("DELETE", "/volumes/nobody"),
    ("GET", "/plugins"), ("GET", "/plugins/no/body/json"), ("GET", "/plugins/privileges"),
    ("DELETE", "/plugins/no/body"),
    *(("POST", f"/plugins/no/body/{verb}")
      for verb in ("enable", "disable", "push", "upgrade", "set")),
    ("POST", "/plugins/pull"), ("POST", "/plugins/create"),
    ("POST", "/session"), ("POST", "/grpc"),
    *(("POST", f"/swarm/{verb}") for verb in ("init", "join", "leave", "update", "unlock")),
    ("GET", "/swarm"), ("GET", "/swarm/unlockkey"),
    *(("GET", f"/{kind}") for kind in _NODES),
    *(("GET", f"/{kind}/nobody") for kind in _NODES),
    *(("POST", f"/{kind}/create") for kind in ("services", "secrets", "configs")),
    *(("POST", f"/{kind}/nobody/update")
      for kind in ("nodes", "services", "secrets", "configs")),
    *(("DELETE", f"/{kind}/nobody")
      for kind in ("nodes", "services", "secrets", "configs")),
    ("GET", "/services/nobody/logs"), ("GET", "/tasks/nobody/logs"),
    ("GET", "/debug/vars"), ("GET", "/debug/pprof/"), ("GET", "/debug/pprof/cmdline"),
)  # fmt: skip
