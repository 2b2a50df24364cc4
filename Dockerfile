# The binary and the CA bundle, nothing else. The build stage runs the same ./dev as people do; the
# libraries come first, as they change least.
FROM debian:bookworm-slim AS build
WORKDIR /source
COPY dev .
RUN ./dev deps
COPY . .
RUN ./dev build

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /source/build/release/opsbelt /opsbelt
ENTRYPOINT ["/opsbelt"]
