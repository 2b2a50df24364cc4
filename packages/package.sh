# shellcheck shell=bash disable=SC2154 # the variables of ./dev
# What is shipped, for ./dev package: a .deb and a tarball for each architecture, their checksums, and
# the container image of both architectures. Read by ./dev, whose variables and functions it uses.
#
# The same commit gives the same bytes: files in order, owned by root, dated by the commit (or by
# SOURCE_DATE_EPOCH), compressed by one thread.

shipped=build/packages
epoch=

# Sets version, and what dates the files.
read_version() {
  need git
  version=$(sed -n 's/^project(opsbelt VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
  epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  export SOURCE_DATE_EPOCH=$epoch
}

# A program to call for one that was built for ARCH: itself, or a script that runs it under qemu.
runnable() {
  local arch=$1 program=$2
  if [ "$arch" = "$(dpkg --print-architecture)" ]; then echo "$program"; return; fi
  need qemu-user-static
  printf '#!/bin/sh\nexec /usr/bin/qemu-aarch64-static "%s" "$@"\n' "$program" > "$shipped/run-$arch"
  chmod +x "$shipped/run-$arch"
  echo "$PWD/$shipped/run-$arch"
}

# The files below /usr, as both packages hold them: binary, manual pages, completion scripts.
stage_files() {
  local arch=$1 stage=$2 preset=release
  build_for "$arch"
  if [ -n "$cross" ]; then preset=release-$arch; fi
  build_preset "$preset" tool
  rm -rf "$stage"
  mkdir -p "$stage/usr/bin"
  cp "build/$preset/opsbelt" "$stage/usr/bin/opsbelt"
  write_manuals "$stage/usr" "$(runnable "$arch" "$PWD/$stage/usr/bin/opsbelt")"
  "$(runnable "$arch" "$PWD/$stage/usr/bin/opsbelt")" licenses --full > "$stage/licenses.txt"
}

# Debian's form of CHANGELOG.md: the points of this version, wrapped as Debian wants them.
debian_changelog() {
  printf 'opsbelt (%s) stable; urgency=medium\n\n' "$version"
  sed -n "/^## $version\b/,/^## /p" CHANGELOG.md | tr -d '`' | awk '
    function wrap(text,    words, count, line, i) {
      count = split(text, words, " ")
      line = "  *"
      for (i = 1; i <= count; ++i) {
        if (length(line) + length(words[i]) > 77) { print line; line = "   " }
        line = line " " words[i]
      }
      print line
    }
    /^- / { if (point) wrap(point); point = substr($0, 3) }
    /^  / { point = point " " $0 }
    END { if (point) wrap(point) }'
  printf '\n -- %s  %s\n' "$maintainer" "$(date --utc --date="@$epoch" --rfc-email)"
}

debian_copyright() {
  printf '%s\n' 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' \
    'Upstream-Name: opsbelt' "Upstream-Contact: $maintainer" 'Comment:' \
    ' The program is one static binary. What is linked into it, with the notices that those' \
    ' licences ask for, stands in licenses.gz beside this file; `opsbelt licenses` prints it.' '' \
    'Files: *' "Copyright: $(date --utc --date="@$epoch" +%Y) the authors of opsbelt" 'License: Apache-2.0' \
    ' On Debian systems the text stands in /usr/share/common-licenses/Apache-2.0.'
}

# Kibibytes as Debian counts them: each file rounded up, each folder as one.
installed_size() { find "$1" -mindepth 1 -printf '%y %s\n' | awk '{ sum += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print sum }'; }

make_deb() {
  local arch=$1 stage=$2 root=$2/deb
  local doc=$root/usr/share/doc/opsbelt
  maintainer=$(git log -1 --format='%an <%ae>')
  rm -rf "$root"
  mkdir -p "$root/DEBIAN" "$doc" "$root/usr/share/lintian/overrides"
  cp -r "$stage"/usr/{bin,share} "$root/usr/"
  gzip -9n "$root"/usr/share/man/man1/*.1
  debian_changelog | gzip -9n > "$doc/changelog.gz"
  gzip -9n < "$stage/licenses.txt" > "$doc/licenses.gz"
  debian_copyright > "$doc/copyright"
  cp packages/lintian-overrides "$root/usr/share/lintian/overrides/opsbelt"
  find "$root" -type d -exec chmod 755 {} +
  find "$root" -type f -exec chmod 644 {} +
  chmod 755 "$root/usr/bin/opsbelt"
  # md5sums: so that `dpkg --verify` can tell.
  (cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum > DEBIAN/md5sums)
  cat > "$root/DEBIAN/control" <<TXT
Package: opsbelt
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(installed_size "$root/usr")
Recommends: ca-certificates
Section: net
Priority: optional
Multi-Arch: foreign
Description: tool belt for people on call: Slack, Azure, event stores, UDP load
 One static binary with a command for each job: it tells Slack which wiki pages
 changed, posts to Slack, answers Slack as a bot, runs scripts on Azure virtual
 machines, tails an EventStoreDB stream, and loads a network with simulated
 calls. It needs no library; CA certificates are wanted for TLS.
TXT
  chmod 644 "$root"/DEBIAN/*
  find "$root" -newermt "@$epoch" -exec touch --no-dereference --date="@$epoch" {} +
  dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$shipped/opsbelt_${version}_$arch.deb" >/dev/null
}

make_tarball() {
  local arch=$1 stage=$2 name=opsbelt-$version-linux-$1
  local root=$stage/$name
  rm -rf "$root"
  mkdir -p "$root"/{man/man1,completions}
  cp "$stage/usr/bin/opsbelt" LICENSE README.md CHANGELOG.md "$root/"
  cp "$stage/licenses.txt" "$root/LICENSES-OF-LIBRARIES"
  cp "$stage"/usr/share/man/man1/*.1 "$root/man/man1/"
  cp "$stage/usr/share/bash-completion/completions/opsbelt" "$root/completions/opsbelt.bash"
  cp "$stage/usr/share/zsh/vendor-completions/_opsbelt" "$root/completions/_opsbelt"
  cp "$stage/usr/share/fish/vendor_completions.d/opsbelt.fish" "$root/completions/"
  tar --create --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    -C "$stage" "$name" | gzip -9n > "$shipped/$name.tar.gz"
}

write_checksums() { (cd "$shipped" && sha256sum -- *.deb *.tar.gz > SHA256SUMS); }

# ./dev package [amd64|arm64]: both packages of one architecture, of this machine without an argument.
make_packages() {
  local arch=${1:-$(dpkg --print-architecture)} stage
  case $arch in
    arm64 | "$(dpkg --print-architecture)") ;;
    *) say "package knows amd64 and arm64, and builds amd64 only on amd64"; exit 64 ;;
  esac
  read_version
  mkdir -p "$shipped"
  rm -f "$shipped"/opsbelt_*_"$arch".deb "$shipped"/opsbelt-*-linux-"$arch".tar.gz
  stage=$shipped/$arch
  stage_files "$arch" "$stage"
  make_deb "$arch" "$stage"
  make_tarball "$arch" "$stage"
  write_checksums
  (cd "$shipped" && ls -l "opsbelt_${version}_$arch.deb" "opsbelt-$version-linux-$arch.tar.gz")
}

# ./dev package --test [amd64|arm64]: what was made, installed on a bare Debian and looked at.
test_packages() {
  local arch=${1:-$(dpkg --print-architecture)}
  read_version
  setup_node
  need binutils lintian debootstrap qemu-user-static
  if [ "$arch" = arm64 ]; then need binutils-aarch64-linux-gnu; fi
  if [ ! -d "$shipped/bare-root" ]; then
    as_root rm -rf "$shipped/bare-root.new"
    make_bare_root "$shipped/bare-root.new"
    mv "$shipped/bare-root.new" "$shipped/bare-root"
  fi
  PACKAGE_ARCH=$arch PACKAGE_VERSION=$version node --test tests/package/*.test.mjs
  # Of the end-to-end tests, for a binary that no other run has tested: some that send, upload and read.
  if [ "$arch" = "$(dpkg --print-architecture)" ]; then return; fi
  # But for those that measure memory: they would measure qemu's.
  OPSBELT_BINARY=$(runnable "$arch" "$PWD/$shipped/$arch/usr/bin/opsbelt") \
    node --test --test-skip-pattern=/memory/ tests/e2e/gollum-notify-input.test.mjs tests/e2e/slack-post-files.test.mjs tests/e2e/es-tail-wire.test.mjs
}

# --- The image ---------------------------------------------------------------

# What packages/Dockerfile wants beside it: the binaries out of the tarballs, ARCH/opsbelt.
stage_image() {
  local arch context=$shipped/image
  read_version
  rm -rf "$context"
  for arch in amd64 arm64; do
    mkdir -p "$context/$arch"
    tar --extract --gzip --file "$shipped/opsbelt-$version-linux-$arch.tar.gz" --strip-components=1 -C "$context/$arch" \
      "opsbelt-$version-linux-$arch/opsbelt"
  done
  cp packages/Dockerfile "$context/"
  echo "$context"
}

# ./dev package --image: the image of both architectures, built and tested, not published. With Docker
# each architecture is an image of its own here, as its store holds no lists of images; the workflow
# `release` pushes one list of both.
make_image() {
  local arch context
  read_version
  context=$(stage_image)
  setup_node
  if docker info >/dev/null 2>&1; then
    container_tool=docker
    for arch in arm64 amd64; do docker buildx build --load --platform "linux/$arch" -t "opsbelt:release-$arch" "$context"; done
    image=opsbelt:release-amd64
  else
    need buildah podman runc debootstrap
    container_tool="podman --runtime /usr/sbin/runc"
    image=localhost/opsbelt:release-amd64
    buildah inspect --type image "$base_image" >/dev/null 2>&1 || make_base_image
    buildah manifest exists localhost/opsbelt:release 2>/dev/null && buildah manifest rm localhost/opsbelt:release >/dev/null
    buildah manifest create localhost/opsbelt:release >/dev/null
    for arch in amd64 arm64; do
      buildah bud --pull-never --isolation chroot --timestamp "$epoch" --platform "linux/$arch" --build-arg "TARGETARCH=$arch" \
        --build-arg "BUILDPLATFORM=linux/$(dpkg --print-architecture)" -t "localhost/opsbelt:release-$arch" "$context"
      buildah manifest add localhost/opsbelt:release "localhost/opsbelt:release-$arch" >/dev/null
    done
  fi
  IMAGE=$image ARM64_IMAGE=${image/amd64/arm64} CONTAINER_TOOL=$container_tool node --test tests/image/*.test.mjs tests/package/image/*.test.mjs
}

package() {
  case ${1:-} in
    --test) test_packages "${2:-}" ;;
    --image) make_image ;;
    --stage-image) stage_image ;;
    *) make_packages "${1:-}" ;;
  esac
}
