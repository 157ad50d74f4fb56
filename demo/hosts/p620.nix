{ variant = "baseline"; revision = 1; }
