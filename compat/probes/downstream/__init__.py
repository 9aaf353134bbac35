"""What downstream projects put into the compiler: operators, passes, patches, splits."""
