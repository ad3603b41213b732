"""How the platform is put together: one function per layer, `platform` joins them."""
