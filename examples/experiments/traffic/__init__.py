"""Signal timing of one crossing, simulated by UXsim."""
