# An image with the project installed, for docs/deployment/kubernetes and for single commands (docs/deployment/README.md):
#   docker build -t nsmodels:0.1.0 .                                     torch with CUDA, which also runs without a GPU
#   docker build -t nsmodels:0.1.0-cpu --build-arg TORCH_INDEX=ADDRESS . CPU builds of torch: 4.2 GB less
# TORCH_INDEX is the address of a package index with CPU builds of the versions in constraints.txt, as in `make setup`.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
ARG TORCH_INDEX=
ARG EXTRAS=pipeline,ray,postgres,export
ENV PATH=/opt/nsmodels/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/nsmodels
WORKDIR /src
# torch in a layer of its own: it is large and changes seldom.
COPY constraints.txt ./
RUN if [ -n "$TORCH_INDEX" ]; then pip install --no-deps --index-url "$TORCH_INDEX" -c constraints.txt torch torchvision; fi \
    && pip install -c constraints.txt torch torchvision
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY nsmodels nsmodels
COPY pipeline pipeline
RUN pip install -c constraints.txt ".[${EXTRAS}]"

FROM python:${PYTHON}-slim
# wget and bash are what KubeRay's probes call.
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home nsmodels && install -d -o nsmodels -g nsmodels /srv/nsmodels
COPY --from=build /opt/nsmodels /opt/nsmodels
ENV PATH=/opt/nsmodels/bin:$PATH NSMODELS_DATA=/srv/nsmodels/data PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
WORKDIR /srv/nsmodels
RUN nsmodels --version && dagster definitions validate -m pipeline.definitions
CMD ["nsmodels"]
