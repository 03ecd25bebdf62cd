// Command layer_tables writes a tar as a layer with a table of contents, by the libraries that the formats come from:
//
//	layer_tables estargz|estargz-packed|zstd-chunked|zstd-estargz CHUNK_SIZE <tar >blob
//
// What the layer's descriptor has to say of it is printed as JSON to descriptor 3: annotations and the diff id.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"os"
	"strconv"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/containers/storage/pkg/chunked/compressor"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
)

type layer struct {
	Annotations map[string]string `json:"annotations"`
	DiffID      digest.Digest     `json:"diffID,omitempty"`
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func stargz(tar []byte, out io.Writer, options ...estargz.Option) layer {
	blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(tar), 0, int64(len(tar))), options...)
	check(err)
	_, err = io.Copy(out, blob)
	check(err)
	check(blob.Close())
	return layer{map[string]string{estargz.TOCJSONDigestAnnotation: blob.TOCDigest().String()}, blob.DiffID()}
}

func main() {
	tar, err := io.ReadAll(os.Stdin)
	check(err)
	size, err := strconv.Atoi(os.Args[2])
	check(err)
	var made layer
	switch os.Args[1] {
	case "estargz":
		made = stargz(tar, os.Stdout, estargz.WithChunkSize(size))
	case "estargz-packed":
		made = stargz(tar, os.Stdout, estargz.WithChunkSize(size), estargz.WithMinChunkSize(size/16))
	case "zstd-estargz":
		more := map[string]string{}
		made = stargz(tar, os.Stdout, estargz.WithChunkSize(size), estargz.WithCompression(&struct {
			*zstdchunked.Compressor
			*zstdchunked.Decompressor
		}{
			&zstdchunked.Compressor{CompressionLevel: zstd.SpeedDefault, Metadata: more},
			&zstdchunked.Decompressor{},
		}))
		for name, value := range more {
			made.Annotations[name] = value
		}
	case "zstd-chunked":
		made.Annotations = map[string]string{}
		made.DiffID = digest.FromBytes(tar)
		writer, err := compressor.ZstdCompressor(os.Stdout, made.Annotations, nil)
		check(err)
		_, err = writer.Write(tar)
		check(err)
		check(writer.Close())
	default:
		log.Fatal("no such format")
	}
	check(json.NewEncoder(os.NewFile(3, "descriptor")).Encode(made))
}
