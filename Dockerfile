# Spreekkamer as an image: the hashed requirements in an environment of their own; no compiler, no pip, no root.
# Two builds of one commit give the same files and times (docs/operations.md, *An image that can be built again*).
FROM python:3.11.14-bookworm AS compiler
COPY media/__init__.py /src/media/
COPY media/pump /src/media/pump
RUN cd /src && python -m media.pump.build && test -f media/pump/pump.so

FROM python:3.11.14-slim-bookworm AS build
ARG SOURCE_DATE_EPOCH=1767225600
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1 PYTHONHASHSEED=0
RUN python -m venv --without-pip /opt/spreekkamer
COPY requirements.txt requirements-source.txt /src/
RUN pip --python /opt/spreekkamer/bin/python install --no-deps --require-hashes --only-binary :all: --requirement /src/requirements.txt \
    && pip --python /opt/spreekkamer/bin/python install --no-deps --require-hashes --no-build-isolation --requirement /src/requirements-source.txt
COPY . /src
COPY --from=compiler /src/media/pump/pump.so /src/media/pump/
RUN pip --python /opt/spreekkamer/bin/python install --no-deps --no-build-isolation /src \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/spreekkamer/lib \
    && find /opt/spreekkamer -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM python:3.11.14-slim-bookworm
RUN echo 'spreekkamer:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'spreekkamer:x:10001:' >> /etc/group \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data \
    && rm -rf /usr/local/lib/python3.11/site-packages/pip* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip*
COPY --from=build /opt/spreekkamer /opt/spreekkamer
ENV PATH=/opt/spreekkamer/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 40000/udp 40000/tcp
ENTRYPOINT ["spreekkamer"]
CMD ["serve"]
