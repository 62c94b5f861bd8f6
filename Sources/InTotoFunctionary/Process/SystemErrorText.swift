internal import SystemPackage

/// What the system calls an errno, such as `Permission denied`.
package func systemErrorText(_ errno: Int32) -> String { Errno(rawValue: errno).description }
