"""The only way in: load balancer, certificate, Cloud Armor, DNS."""
