# The project, installed by its own makefile. `make docker-build` builds the image, `make docker-run` opens a shell in it.
#
# The base is NVIDIA's CUDA runtime (cudart), of the version that torch's wheels are built for: it refuses a driver that
# is too old, and says so. Its larger sister, `runtime`, would add 2 GB of cuBLAS, cuFFT, NCCL and others that nothing
# loads, for torch's wheels bring their own. Without a GPU the image runs on the CPU.
FROM nvidia/cuda:13.0.2-base-ubuntu24.04

# torch.compile needs g++ and, to bind what it has compiled, Python's headers. The base is pinned, so that its packages
# only receive fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

# The makefile passes the ids of who builds, so that files written into a mounted folder are theirs.
ARG USER_ID=1000
ARG GROUP_ID=1000
RUN (userdel --remove ubuntu || true) \
    && groupadd --non-unique --gid "$GROUP_ID" semeqv \
    && useradd --non-unique --uid "$USER_ID" --gid semeqv --create-home --no-log-init semeqv \
    && install --directory --owner semeqv --group semeqv /semeqv /opt/semeqv /cache
USER $USER_ID:$GROUP_ID
WORKDIR /semeqv

# Experiments run the command that SEMEQV names. Everything downloaded or compiled goes below /cache: Hugging Face, pip
# and matplotlib by XDG_CACHE_HOME, torch.compile and Triton by its own variable.
ENV VENV=/opt/semeqv \
    SEMEQV=/opt/semeqv/bin/semeqv \
    PATH=/opt/semeqv/bin:$PATH \
    XDG_CACHE_HOME=/cache \
    TORCHINDUCTOR_CACHE_DIR=/cache/torchinductor

# First what the installation reads, so that a change of the code does not install torch again. The project is installed
# in place: a checkout mounted over /semeqv is what runs.
COPY --chown=semeqv:semeqv LICENSE README.md makefile pyproject.toml requirements.txt constraints.txt ./
COPY --chown=semeqv:semeqv semeqv/__init__.py semeqv/version.py semeqv/
COPY --chown=semeqv:semeqv backpack/__init__.py backpack/
COPY --chown=semeqv:semeqv ofa/__init__.py ofa/
COPY --chown=semeqv:semeqv crosslingual/__init__.py crosslingual/
RUN PIP_NO_CACHE_DIR=1 make install
COPY --chown=semeqv:semeqv . .

VOLUME /cache
CMD ["bash"]
