module remit/bench/protocol

go 1.24
