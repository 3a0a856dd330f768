"""One origin for the pages and /api, in the place of S3 and CloudFront."""
