// Sends one record to creditbus and prints the receipt: a complete sender, to be taken apart and made your own.
//
//   mvn dependency:copy-dependencies -DoutputDirectory=jars      (pom.xml lies beside this file)
//   java -cp "jars/*" Send.java [RECORD.json]                    (Java 21 or later)
//
// agency.properties beside this file says who you are and where the bus is; the password is in the file it names.
// Exit code 0: ACCEPTED or DUPLICATE. 1: REFUSED, and the faults say what to mend. 2: no final receipt within a minute.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Send {
    static final Duration WAIT = Duration.ofSeconds(60);
    static final ObjectMapper JSON = new ObjectMapper();
    static final HttpClient HTTP = HttpClient.newHttpClient();
    static final Map<Integer, Schema> SCHEMAS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        Path here = Path.of(System.getProperty("sample", "."));
        var settings = new Properties();
        try (var file = Files.newBufferedReader(here.resolve("agency.properties"))) {
            settings.load(file);
        }
        Path file = arguments.length > 0 ? Path.of(arguments[0]) : here.resolve(settings.getProperty("record"));
        var record = (ObjectNode) JSON.readTree(Files.readString(file));
        // Each message has an id of its own, and says when your system made it. record_no is what names the record for
        // ever: a refused record is sent again under the same record_no and a new submission_id.
        String id = UUID.randomUUID().toString();
        record.put("submission_id", id).put("produced_at", System.currentTimeMillis());
        try (var receipts = listen(settings)) {
            publish(settings, record);
            GenericRecord receipt = waitFor(settings, receipts, id);
            if (receipt == null) {
                System.err.println("no final receipt of " + id + " within " + WAIT.toSeconds() + " s: it may still come");
                System.exit(2);
            }
            System.out.println(receipt);
            System.exit(receipt.get("outcome").toString().equals("REFUSED") ? 1 : 0);
        }
    }

    static Map<String, Object> connection(Properties settings) throws Exception {
        String password = Files.readString(Path.of(settings.getProperty("password.file"))).strip();
        String login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";";
        var found = new HashMap<String, Object>();
        for (String name : new String[] {"bootstrap.servers", "security.protocol", "sasl.mechanism"}) {
            found.put(name, settings.getProperty(name));
        }
        found.put("sasl.jaas.config", login.formatted(settings.getProperty("agency"), password));
        return found;
    }

    static void publish(Properties settings, ObjectNode record) throws Exception {
        // The newest schema of the catalogue item; you never register one.
        String subject = "cn.hubei.credit.item." + record.get("item").asText();
        JsonNode newest = registry(settings, "/subjects/" + subject + "/versions/latest");
        var schema = new Schema.Parser().parse(newest.get("schema").asText());
        var out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(newest.get("id").asInt()).array());
        var encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<Object>(schema).write(value(record, schema), encoder);
        encoder.flush();
        String topic = "credit.submit." + settings.getProperty("agency") + ".v1";
        String key = record.get("record_no").asText(); // the key is the record_no
        try (var producer = new KafkaProducer<>(connection(settings), new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, key, out.toByteArray())).get();
        }
    }

    // JSON -> Avro: a date is written 2017-03-29, a missing value null.
    static Object value(JsonNode json, Schema schema) {
        switch (schema.getType()) {
            case UNION -> {
                if (json == null || json.isNull()) return null;
                Schema other = schema.getTypes().stream().filter(s -> s.getType() != Schema.Type.NULL).findFirst().get();
                return value(json, other);
            }
            case RECORD -> {
                var found = new GenericData.Record(schema);
                for (var field : schema.getFields()) found.put(field.pos(), value(json.get(field.name()), field.schema()));
                return found;
            }
            case INT -> {
                return json.isTextual() ? (int) LocalDate.parse(json.asText()).toEpochDay() : json.asInt();
            }
            case LONG -> {
                return json.asLong();
            }
            case BOOLEAN -> {
                return json.asBoolean();
            }
            default -> {
                return json.asText();
            }
        }
    }

    // A consumer that stands at the end of the receipts, before anything is sent.
    static KafkaConsumer<byte[], byte[]> listen(Properties settings) throws Exception {
        var wanted = connection(settings);
        wanted.putAll(Map.of("group.id", settings.getProperty("agency") + ".sample", "enable.auto.commit", "false"));
        var consumer = new KafkaConsumer<>(wanted, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        var partitions = new ArrayList<TopicPartition>();
        String topic = "credit.receipts." + settings.getProperty("agency") + ".v1";
        for (var found : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, found.partition()));
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        partitions.forEach(consumer::position); // seeking waits until it is asked for
        return consumer;
    }

    // The final receipt; WAITING is not final, another one follows it.
    static GenericRecord waitFor(Properties settings, KafkaConsumer<byte[], byte[]> receipts, String id) throws Exception {
        long giveUp = System.nanoTime() + WAIT.toNanos();
        while (System.nanoTime() < giveUp) {
            for (var message : receipts.poll(Duration.ofSeconds(1))) {
                byte[] bytes = message.value();
                Schema schema = schema(settings, ByteBuffer.wrap(bytes).getInt(1));
                var decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null);
                GenericRecord receipt = new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
                boolean mine = receipt.get("submission_id").toString().equals(id);
                if (mine && !receipt.get("outcome").toString().equals("WAITING")) return receipt;
            }
        }
        return null;
    }

    static Schema schema(Properties settings, int id) throws Exception {
        if (!SCHEMAS.containsKey(id)) {
            String text = registry(settings, "/schemas/ids/" + id).get("schema").asText();
            SCHEMAS.put(id, new Schema.Parser().parse(text));
        }
        return SCHEMAS.get(id);
    }

    static JsonNode registry(Properties settings, String path) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(settings.getProperty("schema.registry.url") + path)).build();
        var answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException("the registry answers " + answer.body());
        return JSON.readTree(answer.body());
    }
}
