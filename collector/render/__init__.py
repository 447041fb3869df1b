"""What people see of graphs and scores: documents, texts and pictures. Pure functions of the core types."""
