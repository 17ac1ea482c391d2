#!/bin/sh
# Stands for `kubectl apply`: writes down what would be deployed. Usage: deploy.sh IMAGE
set -eu

image=${1:?which image is to be deployed?}
manifest=$(mktemp)
cat > "$manifest" <<END
kind: Deployment
environment: staging
image: $image
digest: $(cut -d' ' -f1 /build/image-digest.txt)
END
echo "Deploying to staging:"
sed 's/^/  /' "$manifest"
rm "$manifest"
