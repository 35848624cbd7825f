# Spreekkamer as an image: the hashed requirements in an environment of their own, no compiler, no root.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/spreekkamer
COPY requirements.txt /src/
RUN /opt/spreekkamer/bin/pip install --require-hashes --requirement /src/requirements.txt
COPY . /src
RUN /opt/spreekkamer/bin/pip install --no-deps --no-build-isolation /src

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home spreekkamer \
    && install --directory --owner=spreekkamer --group=spreekkamer --mode=0700 /data
COPY --from=build /opt/spreekkamer /opt/spreekkamer
ENV PATH=/opt/spreekkamer/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER spreekkamer
WORKDIR /data
VOLUME /data
EXPOSE 8080 40000/udp 40000/tcp
ENTRYPOINT ["spreekkamer"]
CMD ["serve"]
