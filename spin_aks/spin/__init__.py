"""Reading Spin applications: manifests, variables, hosts, versions. Nothing here asks a network or starts a process."""
