"""Everything that proposes: one module for each way of making candidates."""
