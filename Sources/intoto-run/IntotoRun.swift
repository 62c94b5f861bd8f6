@main
struct IntotoRun {
    static func main() {}
}
