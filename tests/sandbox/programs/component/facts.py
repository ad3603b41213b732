SUFFIX = "assets"
