"""Train, distill and export the network, and repeat the published recipe."""
