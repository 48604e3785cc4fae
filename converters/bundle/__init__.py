"""One file that installs edge-anpr without a network: everything in it is listed, and the list is signed."""
