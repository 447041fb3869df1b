"""6 publish, with care: a release gets from an arm of live traffic to the control on evidence, or is taken back."""
