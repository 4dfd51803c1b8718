-- Logs in to an RDS database from LuaJIT, with libpq and a token instead of a password, and prints the user.
--
-- Reads libpq's variables as ../c-libpq does. Needs librdsign where pkg-config finds it, and libpq.
local ffi = require("ffi")

local function installed(variable)
    local pipe = assert(io.popen("pkg-config --variable=" .. variable .. " rdsign"))
    local value = pipe:read("*l")
    pipe:close()
    return assert(value, "librdsign is not installed")
end

ffi.cdef(assert(io.open(installed("includedir") .. "/rdsign.ffi.h")):read("*a"))
ffi.cdef([[
    typedef struct pg_conn PGconn;
    typedef struct pg_result PGresult;
    PGconn *PQconnectdbParams(const char *const *keywords, const char *const *values, int expand_dbname);
    int PQstatus(const PGconn *connection);
    char *PQerrorMessage(const PGconn *connection);
    PGresult *PQexec(PGconn *connection, const char *query);
    char *PQgetvalue(const PGresult *result, int row, int column);
    void PQclear(PGresult *result);
    void PQfinish(PGconn *connection);
]])
local rdsign = ffi.load(installed("libdir") .. "/librdsign.so.0")
local pq = ffi.load("libpq.so.5")

local function fail(message)
    io.stderr:write(message, "\n")
    os.exit(1)
end

-- Calls a function of the library that writes an object of this type, and returns the object.
local function new(type, free, call, ...)
    local made, failure = ffi.new(type .. " *[1]"), ffi.new("rdsign_error *[1]")
    local arguments = { ... }
    arguments[#arguments + 1] = made
    arguments[#arguments + 1] = failure
    if call(unpack(arguments)) ~= rdsign.RDSIGN_OK then
        fail(ffi.string(rdsign.rdsign_error_message(failure[0])))
    end
    return ffi.gc(made[0], free)
end

local hostname, username = os.getenv("PGHOST"), os.getenv("PGUSER")
local port = os.getenv("PGPORT") or "5432"

-- Keep the signer for as long as the program makes connections.
local options = ffi.gc(rdsign.rdsign_options_new(), rdsign.rdsign_options_free)
rdsign.rdsign_options_set_hostname(options, hostname)
rdsign.rdsign_options_set_port(options, tonumber(port))
rdsign.rdsign_options_set_username(options, username)
local signer = new("rdsign_signer", rdsign.rdsign_signer_free, rdsign.rdsign_signer_new, options)

-- A token expires after at most 15 minutes, so each connection gets its own.
local token = new("rdsign_token", rdsign.rdsign_token_free, rdsign.rdsign_signer_token, signer)
-- A token is a password: never send it to another server. What is no parameter, a service may replace. An
-- empty parameter is none.
local authorities = os.getenv("PGSSLROOTCERT")
if not authorities or authorities == "" then
    authorities = installed("cafile")
end
local parameters = {
    host = hostname,
    hostaddr = os.getenv("PGHOSTADDR"),
    port = port,
    user = username,
    sslmode = "verify-full",
    sslrootcert = authorities,
    gssencmode = "disable",
    password = ffi.string(rdsign.rdsign_token_value(token)),
}
local keywords, values = {}, {}
for keyword, value in pairs(parameters) do
    keywords[#keywords + 1], values[#values + 1] = keyword, value
end
-- The NULL at the end is part of both arrays.
local strings = "const char *[" .. #keywords + 1 .. "]"
local connection = pq.PQconnectdbParams(ffi.new(strings, keywords), ffi.new(strings, values), 0)
if pq.PQstatus(connection) ~= 0 then
    fail(ffi.string(pq.PQerrorMessage(connection)))
end
local result = pq.PQexec(connection, "select current_user")
print(ffi.string(pq.PQgetvalue(result, 0, 0)))
pq.PQclear(result)
pq.PQfinish(connection)
