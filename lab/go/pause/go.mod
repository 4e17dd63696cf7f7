// The program that holds a pod's namespaces open.
module outrider.dev/lab/pause

go 1.21
