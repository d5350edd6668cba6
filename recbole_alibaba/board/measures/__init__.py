"""What is measured of a trained model on the test, and what is known of data and memory before."""
