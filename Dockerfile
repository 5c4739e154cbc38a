# The whole app for one machine, and SageMaker's endpoint: docs/deploy.md, "Your own image".
#
#     docker build -t verdict .
#     docker run --init --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -p 127.0.0.1:8080:8080 verdict
#
# BASE has Python 3.13, and pip for the build. Debian's python3 and python3-pip do as well.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /opt/verdict
COPY requirements/image.txt requirements/constraints.txt requirements/
RUN python3 -m venv --without-pip venv \
    && python3 -m pip --python venv/bin/python install --quiet --no-cache-dir --no-compile --no-deps \
        --only-binary :all: -r requirements/image.txt -c requirements/constraints.txt
COPY . .
RUN python3 -m training.aws.unused venv/lib/python3*/site-packages \
    && rm -r requirements training/aws

FROM ${BASE}
WORKDIR /opt/verdict
COPY --from=build /opt/verdict ./
# Nothing is installed later.
RUN rm -r "$(python3 -c 'import pip; print(*pip.__path__)')"
ENV PATH=/opt/verdict/venv/bin:$PATH PYTHONPATH=/opt/verdict:/opt/verdict/chalice_app
# Callers are outside, and the user has no home.
ENV LISTEN_HOST=0.0.0.0 HOME=/tmp PYTHONUNBUFFERED=1
# An import compiles a module, and a read-only image can't keep the result later.
RUN python -c "import granian.server, launcher.health, launcher.readiness, launcher.supervisor; \
import static_site.serve, training.endpoint.container; from chalice_app.local import hooks, rsgi_server; \
from training.endpoint import golden; golden.answer(hooks.load())"
USER 10001:10001
EXPOSE 8000 8080
HEALTHCHECK --interval=30s --timeout=12s --start-period=30s CMD ["python", "-m", "launcher.health"]
ENTRYPOINT ["python", "-m", "launcher.container"]
