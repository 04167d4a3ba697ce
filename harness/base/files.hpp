#pragma once
// Reading and writing whole files so that a kill or a full disk never leaves half of one.

#include <filesystem>
#include <string>
#include <string_view>

namespace fusetune {

/// The whole file. Throws UserError naming the path and the reason.
std::string read_file(const std::filesystem::path& path);

/// What a written file has to outlive: a kill of the process, or a power cut as well (a sync,
/// milliseconds on a busy disk).
enum class Durability { process_kill, power_cut };

/// Writes beside `path`, syncs, renames over it: readers see the old or the new content, never a
/// part. Creates missing parent directories. Throws UserError naming the path and the reason (disk
/// full, read-only, ...); the old file is then untouched and no temporary file remains.
void write_file_atomic(const std::filesystem::path& path, std::string_view content,
                       Durability durability = Durability::power_cut);

/// The folder that holds kernels/, configs/ and the host device's header: $FUSETUNE_ROOT, what was
/// installed beside this program or library, or the source tree it was built from.
std::filesystem::path project_root();

/// The folder of the program or library that this code is in; empty where that cannot be told.
std::filesystem::path own_folder();

/// `path` relative to the project root where it lies below it, for messages and records that must
/// not name a machine.
std::string display_path(const std::filesystem::path& path);

std::string harness_version();

}  // namespace fusetune
