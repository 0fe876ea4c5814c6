"""The SQL that makes and changes a node's tables: `<kind>/NNNN_name.sql`, applied by `runtime.migrations`."""
