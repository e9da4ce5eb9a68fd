"""Whether a person is reached: codes and links that prove a number or an address, and test messages."""
