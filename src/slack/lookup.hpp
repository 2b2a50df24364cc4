// Names that people write, to the IDs that Slack's methods want.
//
// chat.postMessage and chat.postEphemeral know a channel by its name; everything else wants the ID,
// and a person's e-mail address is an ID nowhere.
// Source: docs.slack.dev conversations.list, conversations.open, users.lookupByEmail.
#pragma once

#include <string>

#include "slack/client.hpp"

namespace slack {

// "C0123ABCD" and the like: a conversation (C, G, D) or a user (U, W).
bool is_id(const std::string& text);
bool is_email(const std::string& text);
bool is_user(const std::string& text);  // an ID (U, W) or an e-mail address

// The ID of a user, from itself or an e-mail address (scope users:read.email). Throws as
// call_method does.
std::string user_id(const Sender& sender, const std::string& user, const Line& line);

// The conversation's ID, from itself, a channel's name with or without # (scope channels:read, and
// groups:read for private ones), a user's ID or e-mail address (scope im:write). Throws as
// call_method does, 78 for a name that no channel has which the bot can see.
std::string conversation_id(const Sender& sender, const std::string& place, const Line& line);

// What chat.postMessage takes for it: a channel as it is written, for an e-mail address the user.
std::string message_channel(const Sender& sender, const std::string& place, const Line& line);

}  // namespace slack
