/*
 * commands_profiles - the commands that look at profiles and lists, and change them in the settings
 * file.
 */
#pragma once

#include "control/commands.h"

/* Each as struct command's answer. */
bool commands_profiles_search(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len);
bool commands_profiles_export(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len);
bool commands_profiles_import(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len);
bool commands_profiles_delete(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len);
bool commands_profiles_clear(const struct command_context *ctx,
			     const struct command_request *request, struct json *j, char *why,
			     size_t why_len);
