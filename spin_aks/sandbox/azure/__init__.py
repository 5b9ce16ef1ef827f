"""The sandbox's Azure: sign-in, Resource Manager and the services around a cluster, for unchanged SDKs.

A service is a module with `ROUTES` (which requests it answers) and `FINISHES` (what happens when one of its long
operations has gone well), named in `world.SERVICES`. Its handlers get a `call.Call`, answer with `call.answer`,
`call.empty` or `call.page`, refuse by raising `call.RefusedError`, keep their resources in `call.world.state`, and
start what takes longer with `call.world.operations.begin`. `groups` is the shortest whole example.
"""
